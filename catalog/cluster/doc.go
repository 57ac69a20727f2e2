// Package cluster keeps a private PostgreSQL with PostGIS for one data folder.
//
//	          lock (who owns it, where it answers)
//	            │
//	Start ──▶ find binaries ──▶ initdb, once ──▶ postgres ──▶ database "swath" + postgis ──▶ URL
//	            ▲                                   │ dies
//	            └───────── started again ◀──────────┘          Join reads the URL from the lock
//
//	<data>/postgres/
//	  lock       held by the owner; its content is the owner's process id and URL
//	  log        what postgres says, bounded; log.1 is the part before
//	  data/      the cluster itself, owned by the account that postgres runs as
//	  run/       the socket; mode 0700, because whoever reaches the socket is the database's owner
//
// There is no TCP and no password: the permissions of the folder are the authentication. A cluster has one owner at a time.
// When the owner dies, however it dies, the kernel takes postgres down with it, and the next Start recovers what was
// committed.
package cluster

// Command compare asks two catalogs the same questions, in turns, and writes down how fast and how alike they answer.
//
//	sample of items ─▶ questions a-k, by seed ─▶ peer, Swath, peer, Swath … ─▶ report (JSON) ─▶ table (Markdown)
//	                                                │
//	                      /proc of the servers ─────┘ CPU time of each answer
//
// A server is one address with the processes behind it: the API and its PostgreSQL. A step is one question for one server with
// 1, 8 or 32 clients, each sending its next request when it has read the last answer; it ends after a time or a number of
// requests, whatever comes first, but not before every client has had one answer. Every answer must have the expected status and
// items where there must be some. Only addresses of the loopback are asked.
//
// CPU time is the steady figure on a shared machine; requests a second and their ratios come from steps that follow each other.
package main

// Package httpkit is the door frame: what every request passes through, whichever room it is for.
//
//	request ─▶ observe ─▶ cors ─▶ guard ─▶ compress ─▶ deadline ─▶ handler
//	           id, log,   open    safe     zstd, br,   context     returns a body or an error
//	           metrics,   to      path,    gzip        ends         │
//	           panics     all     CSP                               ▼
//	response ◀──────────────────────────────────────────────────  Problem (RFC 9457)
//
// The promise: a handler translates and returns errors; every error leaves as application/problem+json with the status
// of its fault.Kind, every request is logged once and counted under its route's pattern, and no answer is half written.
package httpkit

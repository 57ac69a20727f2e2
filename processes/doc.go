// Package processes runs chains as jobs, next to the data.
//
//	Submit ─▶ accepted ─ticket─▶ running: stage ─▶ run (a child process) ─▶ publish ─▶ successful
//	             ▲                  │  └── wrong inputs, no time or memory, three failures of ours ──▶ failed
//	             └── worker lost ───┘     Dismiss, at any moment ──▶ dismissed
//
// The row of a job is the truth. It has a lease number, which whoever takes the job away raises: the janitor when the worker that has it
// was not heard of, Dismiss, a worker that stops. Every write of a worker names the number it began with, so that late tickets, and
// workers that were thought dead, store nothing. A job ends once; its results are there whole or not at all.
//
// Which job is next: by priority, which rises with waiting; among equals the one whose owner has the fewest ahead of it. Tickets are
// written for as many jobs as there are slots, so that one who comes late need not wait for all of another's.
package processes

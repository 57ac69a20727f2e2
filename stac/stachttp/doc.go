// Package stachttp is the door to the catalog: STAC API 1.0 for programs, and plain pages for people.
//
//	query or body ─▶ stac.Search ─▶ Catalog ─▶ stored bodies ─▶ links spliced in ─▶ JSON
//	                                                        └─▶ templates ─▶ HTML (f=html, or a browser asks)
//
// A stored body goes out byte for byte, except its links and the address of our own files. Every answer to a GET has a
// strong ETag. Parameters that a route does not know are refused by name, so that a typing error never widens a search.
package stachttp

// Package compat says of items what older protocols say of products, and pages a search by numbers. It knows no HTTP.
//
//	item ─▶ Read ─▶ Product, in the words of resto and of CSC OData ─▶ restohttp, cschttp
//	offset ─▶ Pages ─▶ stac.Search by tokens, each remembered for the page behind
//
// Only items whose original product is held here are products: what is listed can be had whole.
package compat

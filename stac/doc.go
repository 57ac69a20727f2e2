// Package stac is the vocabulary of the catalog: items, collections, the search request, and the Catalog that answers it.
//
//	ingest ──▶ Item, Collection ──▶ Catalog ──▶ Search ──▶ Page
//
// Stored and foreign items pass through as raw JSON, so that no field is ever lost; typed values exist only for what Swath
// itself authors.
package stac

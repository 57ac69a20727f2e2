// Package contract holds tests to what the documents say. It is for tests only.
//
//	routes of the app  ◀── Routes ──▶  openapi.yaml     both ways: nothing undocumented, nothing missing
//	answer of a route  ──▶ Client ──▶  its schema       every answer that a test receives
//	stored item        ──▶ ValidateItem ──▶ STAC 1.1.0, GeoJSON and the extensions' fields, without a network
package contract

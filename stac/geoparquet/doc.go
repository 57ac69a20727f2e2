// Package geoparquet writes STAC items as stac-geoparquet: one table that pandas, DuckDB and GDAL read.
//
//	items ──Add──▶ Schema: what each member is ──▶ columns: a struct for an object, a list for a list, a leaf for a value
//	items ──Write──▶ cut into the columns ──▶ row groups ──▶ file        └── what fits nowhere: JSON in "rest"
//
// Properties stand beside the members of the item, as the format says (github.com/stac-utils/stac-geoparquet, GeoParquet
// 1.1): geometry and proj:geometry as WKB, bbox as a struct, the times of common metadata as timestamps. A member whose
// values are of several kinds is a column of JSON. Nothing of an item is lost but the difference between null and missing, and
// how numbers and times were written.
//
// Without a Schema the first items make one. What later items have beside it goes to the column "rest", a partial item in JSON.
package geoparquet

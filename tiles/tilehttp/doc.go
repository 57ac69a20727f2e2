// Package tilehttp is the door to maps: tiles, TileJSON, a small map page, previews, values at a point, and colormaps.
//
//	path and query ─parse─▶ tiles.Request ─▶ tiles.View ─▶ ETag held? 304 : picture
//
// The query speaks TiTiler's words (assets, expression, rescale, colormap_name, …), so its clients work unchanged. Every
// parameter that is not known is refused by name: a typing error never draws a wrong picture in silence. A picture's ETag is
// made from its sources and parameters, so a client that has it gets 304 and nothing is drawn.
package tilehttp

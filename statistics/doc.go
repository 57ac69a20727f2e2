// Package statistics tells what the archive holds and how it is used: the figures of a dashboard.
//
//	each change of a product ─▶ product_delta ─Fold─▶ totals by collection, platform, day ─┐
//	each request ─▶ Meter ─Flush─▶ traffic by day and collection ──────────────────────────┼─▶ Figures ─▶ Of a scope
//	accounts and their use, by day ────────────────────────────────────────────────────────┘
//
// Nothing is counted when it is asked for: figures are sums of small tables, and are remembered for a while.
package statistics

package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"swath/auth"
	"swath/ingest/ledger"
	"swath/statistics"
)

// both calls one and the other.
func both(one, other func(ctx context.Context, requests, bytes int64)) func(ctx context.Context, requests, bytes int64) {
	return func(ctx context.Context, requests, bytes int64) {
		one(ctx, requests, bytes)
		other(ctx, requests, bytes)
	}
}

// mirrorsOf tells what each configured mirror has and waits for. Names of products that failed are for operators alone: they may be of
// collections that others do not see.
func mirrorsOf(url string, mirrors []MirrorConfig) func(ctx context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		all := []mirrorStatus{}
		for _, m := range mirrors {
			one, err := statusOf(ctx, url, m.Name)
			if err != nil {
				return nil, err
			}
			if auth.From(ctx).Role < auth.Operator {
				one.Troubles = []ledger.Trouble{}
			}
			all = append(all, one)
		}
		return all, nil
	}
}

// figureMetrics are the figures as Prometheus reads them, of the collections that strangers may know of.
type figureMetrics struct {
	store   *statistics.Store
	keeper  *auth.Keeper
	mirrors func(ctx context.Context) (any, error)
}

var (
	productsDesc = prometheus.NewDesc("swath_products", "Products that are held, by collection.", []string{"collection"}, nil)
	bytesDesc    = prometheus.NewDesc("swath_product_bytes", "Bytes of the products that are held, by collection.", []string{"collection"}, nil)
	usersDesc    = prometheus.NewDesc("swath_users", "Accounts.", nil, nil)
	activeDesc   = prometheus.NewDesc("swath_users_active", "Accounts that asked for something in the last 30 days.", nil, nil)
	sentDesc     = prometheus.NewDesc("swath_sent_bytes_total", "Bytes that were sent: of files, drawn or worked out of them, and of other answers.", []string{"what"}, nil)
	wantedDesc   = prometheus.NewDesc("swath_mirror_products", "Products of the hub, by mirror and state.", []string{"mirror", "state"}, nil)
	lagDesc      = prometheus.NewDesc("swath_mirror_lag_seconds", "Age of the oldest product that waits, by mirror.", []string{"mirror"}, nil)
)

// Describe names them.
func (figureMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{productsDesc, bytesDesc, usersDesc, activeDesc, sentDesc, wantedDesc, lagDesc} {
		to <- d
	}
}

// scrapeTime is how long a scrape may take; what can't be read by then is left out of it.
const scrapeTime = 5 * time.Second

// Collect reads them.
func (m figureMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if f, err := m.store.Figures(ctx, m.keeper.Scope(auth.Principal{}).Sees); err == nil {
		for _, c := range f.Collections {
			gauge(productsDesc, float64(c.Products), c.Name)
			gauge(bytesDesc, float64(c.Bytes), c.Name)
		}
		gauge(usersDesc, float64(f.Users.Registered))
		gauge(activeDesc, float64(f.Users.Active))
		sent := map[string]int64{"files": 0, "drawn": 0, "answers": 0}
		for _, y := range f.Out.Years {
			sent["files"], sent["drawn"], sent["answers"] = sent["files"]+y.DownloadBytes, sent["drawn"]+y.DrawnBytes, sent["answers"]+y.Bytes-y.DownloadBytes-y.DrawnBytes
		}
		for what, bytes := range sent {
			to <- prometheus.MustNewConstMetric(sentDesc, prometheus.CounterValue, float64(bytes), what)
		}
	}
	all, err := m.mirrors(ctx)
	if err != nil {
		return
	}
	for _, one := range all.([]mirrorStatus) {
		for state, n := range map[string]int64{"wanted": one.Wanted, "offline": one.Offline, "held": one.Held, "superseded": one.Superseded, "quarantined": one.Quarantined, "gone": one.Gone} {
			gauge(wantedDesc, float64(n), one.Mirror, state)
		}
		gauge(lagDesc, one.LagS, one.Mirror)
	}
}

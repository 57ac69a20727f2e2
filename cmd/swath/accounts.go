package main

import (
	"context"
	"sync"
	"time"

	"swath/auth"
	"swath/auth/authhttp"
)

// alwaysOpen are the paths that strangers reach also where nothing is public: to sign in, to read what this is, and for who watches the server.
var alwaysOpen = []string{"/auth/", "/hooks/", "/ui/", "/favicon.ico", "/api", "/api.html", "/conformance", "/healthz", "/readyz"}

// accountsDoor is where requests say who asks.
func accountsDoor(keeper *auth.Keeper, cfg Config) authhttp.API {
	return authhttp.API{Keeper: keeper, Strangers: cfg.Accounts.Anonymous == anonymousRead, Passwords: cfg.Accounts.passwords(), Issuer: cfg.Accounts.issuer(),
		Open: alwaysOpen, PublicURL: cfg.PublicURL}
}

// countUse adds what a request has cost to who asked.
func countUse(keeper *auth.Keeper) func(ctx context.Context, requests, bytes int64) {
	return func(ctx context.Context, requests, bytes int64) { keeper.Count(auth.From(ctx), requests, bytes) }
}

// admitDownload lets who asks begin a download, within its quotas.
func admitDownload(keeper *auth.Keeper) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) { return keeper.Download(ctx, auth.From(ctx)) }
}

// allowances says what is left of the quotas of who asks.
func allowances(keeper *auth.Keeper) func(context.Context) []auth.Allowance {
	return func(ctx context.Context) []auth.Allowance { return keeper.Allowances(auth.From(ctx)) }
}

// noteDownload notes a download that has ended, by whom it was.
func noteDownload(keeper *auth.Keeper) func(context.Context, string, string, string, int, int64, time.Duration) {
	return func(ctx context.Context, collection, item, asset string, status int, bytes int64, took time.Duration) {
		keeper.Downloaded(auth.From(ctx), collection, item, asset, status, bytes, took)
	}
}

// keepAccounts keeps the accounts until it is stopped: after the last request, so that what it used is written down.
func keepAccounts(ctx context.Context, keeper *auth.Keeper) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	group.Go(func() { keeper.Keep(ctx) })
	return func() {
		cancel()
		group.Wait()
	}
}

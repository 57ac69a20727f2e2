package main

import (
	"context"
	"time"

	"swath/auth"
	"swath/compat/cschttp"
	"swath/fault"
	"swath/objects/objecthttp"
)

// tokenLife is how long a token is good that was given for a password.
const tokenLife = time.Hour

// signIn gives tokens to clients of hubs: a key that is good for an hour, or the API key itself that was sent as the password.
func signIn(keeper *auth.Keeper) func(ctx context.Context, name, password, from string) (string, time.Duration, error) {
	return func(ctx context.Context, name, password, from string) (string, time.Duration, error) {
		if auth.IsKey(password) {
			_, err := keeper.ByKey(ctx, password)
			return password, tokenLife, err
		}
		if name == "" || password == "" {
			return "", 0, fault.New(fault.Unauthenticated, "a name and a password are needed")
		}
		p, err := keeper.ByPassword(ctx, name, password, from)
		if err != nil {
			return "", 0, err
		}
		until := time.Now().Add(tokenLife)
		_, key, err := keeper.MakeKey(ctx, p.User, "token of the hub's protocol", p.Role, &until)
		return key, tokenLife, err
	}
}

// openAsset opens files of items for their parts.
func openAsset(files objecthttp.API) func(ctx context.Context, collection, item, asset string) (cschttp.File, int64, error) {
	return func(ctx context.Context, collection, item, asset string) (cschttp.File, int64, error) {
		found, err := files.Asset(ctx, collection, item, asset)
		if err != nil {
			return nil, 0, err
		}
		o, err := files.Objects.Open(ctx, found.Key)
		if err != nil {
			return nil, 0, err
		}
		return o, o.Info().Size, nil
	}
}

package main

import (
	"context"
	"strings"
	"time"

	"swath/auth"
	"swath/compat/cschttp"
	"swath/fault"
	"swath/objects"
	"swath/objects/objecthttp"
)

// tokenLife is how long a token is good that was given for a password.
const tokenLife = time.Hour

// signIn gives tokens to clients of hubs: a key that is good for an hour, or the API key itself that was sent as the password.
// Passwords are taken where the configuration takes them, as everywhere else.
func signIn(keeper *auth.Keeper, passwords bool) func(ctx context.Context, name, password, from string) (string, time.Duration, error) {
	return func(ctx context.Context, name, password, from string) (string, time.Duration, error) {
		if auth.IsKey(password) {
			_, err := keeper.ByKey(ctx, password)
			return password, tokenLife, err
		}
		if !passwords {
			return "", 0, fault.New(fault.Unauthenticated, "passwords are not taken here: send a key as the password")
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
		leave, err := files.Admit(ctx)
		if err != nil {
			return nil, 0, err
		}
		o, err := files.Objects.Open(ctx, found.Key)
		if err != nil {
			leave()
			return nil, 0, err
		}
		return admitted{o, leave}, o.Info().Size, nil
	}
}

// admitted is a file of a download that was let in: it leaves when it is closed.
type admitted struct {
	objects.Object
	leave func()
}

func (a admitted) Close() error {
	defer a.leave()
	return a.Object.Close()
}

// bucketOf returns the bucket of a store's address and what comes before the keys in it; "" where objects are not in S3.
func bucketOf(store string) string {
	rest, is := strings.CutPrefix(store, "s3://")
	if !is {
		return ""
	}
	return strings.Trim(rest, "/")
}

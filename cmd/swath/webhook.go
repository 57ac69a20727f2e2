package main

import (
	"context"
	"fmt"
	"regexp"

	"swath/fault"
	"swath/ingest/ledger"
	"swath/ingest/mirrorhttp"
)

var hookSecret = regexp.MustCompile(`^[A-Za-z0-9._~-]{16,128}$`)

// hooks are the addresses by which the hubs of mirrors may tell that something is new, whichever process keeps the mirror.
func hooks(url string, mirrors []MirrorConfig) (api mirrorhttp.API, err error) {
	api.Hint = func(ctx context.Context, mirror string) error {
		r, err := ledger.Read(ctx, url, mirror)
		if err != nil {
			return err
		}
		defer r.Close()
		return r.Hint(ctx)
	}
	for _, m := range mirrors {
		if m.Webhook.SecretEnv == "" {
			continue
		}
		hook := mirrorhttp.Hook{Mirror: m.Name, User: m.Webhook.User}
		if hook.Secret, err = secretOf(m.Webhook.SecretEnv); err != nil {
			return api, fmt.Errorf("mirror %s: webhook: %w", m.Name, err)
		}
		if !hookSecret.MatchString(hook.Secret) {
			return api, fault.New(fault.Invalid, "mirror %s: the secret in %s is not 16 to 128 letters, digits and . _ ~ -", m.Name, m.Webhook.SecretEnv)
		}
		if hook.Password, err = secretOf(m.Webhook.PasswordEnv); err != nil {
			return api, fmt.Errorf("mirror %s: webhook: %w", m.Name, err)
		}
		api.Hooks = append(api.Hooks, hook)
	}
	return api, nil
}

package httpkit

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// Config is what the frame needs to know. Its zero value works.
type Config struct {
	PublicURL      string                // the address that clients use, when it is not in their Host header
	TrustProxy     bool                  // believe X-Forwarded-Proto and X-Forwarded-Host
	RequestTimeout time.Duration         // wall clock per request; 0 is 30 s
	Metrics        prometheus.Registerer // where request counts go; nil counts for nobody
	Log            *slog.Logger          // nil is slog.Default()
	Uploads        Uploads               // bodies that may be larger than others

	// Sent is told what a request has cost: itself, when it is answered, and the bytes that were really sent, of a stream when it has
	// ended. The context is that of the request. nil: nobody wants to know.
	Sent func(ctx context.Context, requests, bytes int64)
	// Answered is told how long it took until an answer began. nil: nobody wants to know.
	Answered func(ctx context.Context, dur time.Duration)
}

// Limits of one request, but for Uploads. A body of 4 MiB holds a polygon of 100,000 corners; headers of 16 KiB hold a search by GET.
const (
	maxBodyBytes    = 4 << 20
	maxHeaderBytes  = 16 << 10
	readTimeout     = 30 * time.Second
	idleTimeout     = 60 * time.Second
	defaultDeadline = 30 * time.Second
)

// New returns an app with the frame in place and no routes.
func New(cfg Config) *fiber.App {
	if cfg.RequestTimeout <= 0 {
		cfg.RequestTimeout = defaultDeadline
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	app := fiber.New(fiber.Config{
		AppName:               "swath",
		Immutable:             true, // request strings outlive the handler: they go into logs and caches
		UnescapePath:          true, // routes and parameters see the path as the client meant it
		CaseSensitive:         true,
		BodyLimit:             maxBodyBytes,
		StreamRequestBody:     true, // bodies reads it
		ReadBufferSize:        maxHeaderBytes,
		ReadTimeout:           readTimeout,
		IdleTimeout:           idleTimeout,
		DisableStartupMessage: true,

		DisablePreParseMultipartForm: true, // ReadForm does
		ErrorHandler:                 Problem,
	})
	app.Use(observe(cfg), cors, guard, compress, deadline(cfg.RequestTimeout), bodies(cfg.Uploads))
	return app
}

// frame is what the middleware knows of a request, for handlers and the error handler.
type frame struct {
	requestID string
	cfg       *Config
}

type frameKey struct{}

// frameOf returns the frame of a request; a request that failed before the middleware ran has an empty one.
func frameOf(c *fiber.Ctx) frame {
	if f, ok := c.Locals(frameKey{}).(frame); ok {
		return f
	}
	return frame{cfg: &Config{Log: slog.Default()}}
}

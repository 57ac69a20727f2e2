package httpkit

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is one thing that must work before requests can be answered.
type Check struct {
	Name string
	Run  func(ctx context.Context) error
}

// Operations serves what those who run the server look at: /healthz, /readyz, /metrics.
type Operations struct {
	Checks  []Check
	Metrics prometheus.Gatherer
}

// Mount adds the routes.
func (o Operations) Mount(r fiber.Router) {
	r.Get("/healthz", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok"}) })
	r.Get("/readyz", o.ready)
	r.Get("/metrics", adaptor.HTTPHandler(promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{DisableCompression: true})))
}

// ready runs every check. What exactly is wrong goes to the log; strangers read only which part it is.
func (o Operations) ready(c *fiber.Ctx) error {
	status, word, checks := http.StatusOK, "ready", map[string]string{}
	for _, check := range o.Checks {
		checks[check.Name] = "ok"
		if err := check.Run(c.UserContext()); err != nil {
			frameOf(c).cfg.Log.WarnContext(c.UserContext(), "not ready", "check", check.Name, "err", err)
			status, word, checks[check.Name] = http.StatusServiceUnavailable, "not ready", "failing"
		}
	}
	return c.Status(status).JSON(fiber.Map{"status": word, "checks": checks})
}

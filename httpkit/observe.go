package httpkit

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// requestIDHeader carries the request's name in both directions.
const requestIDHeader = "X-Request-Id"

// RequestID returns the name under which this request is logged.
func RequestID(c *fiber.Ctx) string { return frameOf(c).requestID }

// observe names, times, logs and counts every request, and turns panics and errors into problems.
func observe(cfg Config) fiber.Handler {
	count := newCounters(cfg.Metrics)
	return func(c *fiber.Ctx) error {
		start := time.Now()
		id := requestID(c.Get(requestIDHeader))
		c.Locals(frameKey{}, frame{requestID: id, cfg: &cfg})
		c.Set(requestIDHeader, id)

		frameRoute := c.Route()
		err := nextOrPanic(c)
		route := "other" // where no route's handler ran
		if c.Route() != frameRoute {
			route = c.Route().Path // the pattern: a small closed set, never a path from outside
		}
		if err != nil {
			if err := c.App().Config().ErrorHandler(c, err); err != nil {
				return err
			}
		}

		dur, status := time.Since(start), c.Response().StatusCode()
		count.requests.WithLabelValues(route, c.Method(), strconv.Itoa(status)).Inc()
		count.seconds.WithLabelValues(route, c.Method()).Observe(dur.Seconds())
		if cfg.Answered != nil {
			cfg.Answered(c.UserContext(), dur)
		}
		if cfg.Sent != nil {
			bytes := 0
			if !c.Response().IsBodyStream() && c.Method() != fiber.MethodHead {
				bytes = len(c.Response().Body())
			}
			cfg.Sent(c.UserContext(), 1, int64(bytes))
		}
		cfg.Log.LogAttrs(c.UserContext(), slog.LevelInfo, "request",
			slog.String("id", id), slog.String("method", c.Method()), slog.String("path", loggedPath(c)),
			slog.Int("status", status), slog.Int("bytes", responseBytes(c)), slog.Duration("dur", dur))
		return nil
	}
}

// nextOrPanic runs the handlers; a panic becomes an error that holds the stack, for the log alone.
func nextOrPanic(c *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.Response().ResetBody()
			err = panicked(p)
		}
	}()
	return c.Next()
}

// panicked makes an error of what was recovered; call it where that was.
func panicked(p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }

// requestID keeps a client's own id when it is short and plain, and makes one otherwise.
func requestID(given string) string {
	if len(given) == 0 || len(given) > 64 {
		return rand.Text()
	}
	for _, b := range []byte(given) {
		if (b < '0' || b > '9') && (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && b != '-' && b != '_' && b != '.' {
			return rand.Text()
		}
	}
	return given
}

// responseBytes returns the size of the body, or 0 where it is streamed with unknown length.
func responseBytes(c *fiber.Ctx) int {
	if c.Response().IsBodyStream() {
		return max(c.Response().Header.ContentLength(), 0)
	}
	return len(c.Response().Body())
}

// counters are the metrics of the door.
type counters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newCounters(reg prometheus.Registerer) counters {
	n := counters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "swath_http_requests_total", Help: "Requests answered, by route pattern, method and status.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "swath_http_request_duration_seconds", Help: "Wall time of a request, by route pattern and method.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method"}),
	}
	if reg != nil {
		reg.MustRegister(n.requests, n.seconds)
	}
	return n
}

// hiddenPath marks a request whose path is a secret.
type hiddenPath struct{}

// HidePath keeps the path of a request out of the log, which has the route's pattern instead.
func HidePath(c *fiber.Ctx) { c.Locals(hiddenPath{}, true) }

func loggedPath(c *fiber.Ctx) string {
	if c.Locals(hiddenPath{}) != nil {
		return c.Route().Path
	}
	return c.Path()
}

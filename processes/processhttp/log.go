package processhttp

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
)

// lookEvery is how often a log that is followed is looked at.
const lookEvery = 500 * time.Millisecond

// log serves GET /jobs/{job}/log: what there is behind an offset, or, to who follows it, all until the job ends.
func (a API) log(c *fiber.Ctx) error {
	q, err := query(c, "offset", "follow")
	if err != nil {
		return err
	}
	events := strings.Contains(c.Get(fiber.HeaderAccept), eventStream)
	offset := int64(0)
	from := q.Get("offset")
	if id := c.Get("Last-Event-ID"); events && id != "" {
		from = id
	}
	if from != "" {
		if offset, err = strconv.ParseInt(from, 10, 64); err != nil || offset < 0 {
			return fault.New(fault.Invalid, "offset %.60q is not a number of bytes", from)
		}
	}
	if f := q.Get("follow"); f != "" && f != "true" && f != "false" {
		return fault.New(fault.Invalid, "follow is %.60q; it may be true or false", f)
	}
	fresh(c)
	id := c.Params("job")
	text, next, done, err := a.Engine.Log(c.UserContext(), id, offset)
	if err != nil {
		return named(noSuchJob, err)
	}
	switch {
	case events:
		return a.follow(c, eventStream, id, offset, writeEvent)
	case q.Get("follow") == "true":
		return a.follow(c, fiber.MIMETextPlainCharsetUTF8, id, offset, writeText)
	}
	c.Set("Swath-Next-Offset", strconv.FormatInt(next, 10))
	c.Set("Swath-Job-Ended", strconv.FormatBool(done))
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(text)
}

const eventStream = "text/event-stream"

// follow sends a log as it grows, until the job has ended or the client left.
func (a API) follow(c *fiber.Ctx, contentType, id string, offset int64, write func(w io.Writer, text string, next int64, done bool) error) error {
	err := httpkit.Stream(c, contentType, "log", func(ctx context.Context, w io.Writer) error {
		for {
			text, next, done, err := a.Engine.Log(ctx, id, offset)
			if err != nil {
				return err
			}
			offset = next
			if text != "" || done {
				if err := write(w, text, next, done); err != nil {
					return err
				}
				if f, ok := w.(interface{ Flush() error }); ok {
					if err := f.Flush(); err != nil {
						return err
					}
				}
			}
			if done {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(lookEvery):
			}
		}
	})
	c.Response().Header.Del(fiber.HeaderContentDisposition) // it is to be read here
	return err
}

func writeText(w io.Writer, text string, _ int64, _ bool) error {
	_, err := io.WriteString(w, text)
	return err
}

// writeEvent writes lines as server-sent events, whose id is where the log goes on; an event "end" is the last.
func writeEvent(w io.Writer, text string, next int64, done bool) error {
	if text != "" {
		lines := strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\ndata: ")
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", next, lines); err != nil {
			return err
		}
	}
	if done {
		_, err := io.WriteString(w, "event: end\ndata: \n\n")
		return err
	}
	return nil
}

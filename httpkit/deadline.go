package httpkit

import (
	"context"
	"math"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

// lookEvery is how often the door looks whether the client is still there. Most answers are out before the first look.
const lookEvery = 100 * time.Millisecond

// deadline gives c.UserContext() an end: after limit, when the handler returns, or soon after the client has left.
// A body that is streamed after its handler returned needs context.WithoutCancel.
func deadline(limit time.Duration) fiber.Handler {
	return func(c *fiber.Ctx) error {
		defer limited(c, limit)()
		return c.Next()
	}
}

// Longer gives the rest of a request a time of its own instead of what is left of the usual one: for routes that make files, not
// answers. The handler calls end when it returns.
func Longer(c *fiber.Ctx, limit time.Duration) (end func()) {
	c.SetUserContext(context.WithoutCancel(c.UserContext()))
	return limited(c, limit)
}

// Anew gives the rest of a request its usual time. The handler calls end when it returns.
func Anew(c *fiber.Ctx) (end func()) { return Longer(c, frameOf(c).cfg.RequestTimeout) }

// limited ends c.UserContext() after limit, or soon after the client has left.
func limited(c *fiber.Ctx, limit time.Duration) (end func()) {
	ctx, cancel := context.WithTimeout(c.UserContext(), limit)
	c.SetUserContext(ctx)
	looks := watch(ctx, cancel, ClientGone(c))
	return func() {
		cancel()
		looks.Stop()
	}
}

// watch cancels a request that is still running when its client has left.
func watch(ctx context.Context, cancel context.CancelFunc, gone func() bool) (looks *time.Timer) {
	looks = time.AfterFunc(math.MaxInt64, func() {
		switch {
		case ctx.Err() != nil:
		case gone():
			cancel()
		default:
			looks.Reset(lookEvery)
		}
	})
	looks.Reset(lookEvery) // not before the function can see it
	return looks
}

// ClientGone returns a function that reports whether the client has closed its connection. It peeks at the socket
// (about 12 µs), so that long work can ask it between blocks; fasthttp itself never tells. Where there is no plain
// socket to look at (TLS, tests) the answer is always false.
func ClientGone(c *fiber.Ctx) func() bool {
	conn, ok := c.Context().Conn().(syscall.Conn)
	if !ok {
		return func() bool { return false }
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	return func() bool { return closed(raw) }
}

// closed reports whether the peer has sent its last byte. Bytes still unread mean a pipelined request: not gone.
func closed(raw syscall.RawConn) bool {
	var (
		n    int
		peek error
		one  [1]byte
	)
	err := raw.Control(func(fd uintptr) {
		n, _, peek = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	if err != nil {
		return true // closed on our side
	}
	if peek == syscall.EAGAIN || peek == syscall.EINTR {
		return false
	}
	return peek != nil || n == 0
}

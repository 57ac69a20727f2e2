package httpkit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
)

// Uploads says which requests may have a body larger than others, and where files of it lie while they are answered.
type Uploads struct {
	Most   int64                          // bytes of one body
	Route  func(method, path string) bool // takes them; nil: no route does
	Folder string                         // of the files, which have no names there; empty: the system's
}

const (
	longestBody = 6 * time.Hour // that a large body may take to come
	mostParts   = 1000          // fields of a form
	lingerTime  = 10 * time.Second
)

// received is what the frame knows of a request's body.
type received struct {
	uploads Uploads
	large   bool  // it is left to the handler
	left    int64 // of what it may have
	done    bool  // it was read to its end
	form    *Form
	formErr error
	end     []func() // when the request is answered
}

type receivedKey struct{}

// bodies reads the body of a request before its handler, up to the usual size. What may be larger is left to the handler: see Body and ReadForm.
func bodies(u Uploads) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := &received{uploads: u}
		c.Locals(receivedKey{}, r)
		defer func() {
			for _, end := range r.end {
				end()
			}
		}()
		stream := c.Context().RequestBodyStream()
		if stream == nil {
			return c.Next()
		}
		unread := true
		defer func() {
			if unread && (!r.large || !r.done) {
				linger(c)
			}
		}()
		most, size := int64(maxBodyBytes), int64(c.Request().Header.ContentLength()) // -1: it comes in pieces
		r.large = u.Route != nil && (size < 0 || size > most) && u.Route(c.Method(), c.Path())
		if r.large {
			r.left = u.Most
			if size > u.Most {
				r.left = -1 // whoever reads it says so
			}
			return c.Next()
		}
		if size > most {
			return tooLarge(most)
		}
		body, err := io.ReadAll(io.LimitReader(stream, most+1))
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the body of the request did not come whole")
		}
		if int64(len(body)) > most {
			return tooLarge(most)
		}
		unread = false
		c.Request().SetBodyRaw(body)
		return c.Next()
	}
}

// linger ends a connection behind the answer to a request whose body was not read.
func linger(c *fiber.Ctx) {
	c.Context().SetConnectionClose()
	if conn, ok := c.Context().Conn().(*lingering); ok {
		conn.unread.Store(true)
	}
}

// Lingering makes a listener whose connections, when they are closed with a body that was refused still coming, take what comes for a while: were they
// reset, the client might never read why (RFC 9112, section 9.6).
func Lingering(l net.Listener) net.Listener { return lingeringListener{l} }

type lingeringListener struct{ net.Listener }

func (l lingeringListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &lingering{TCPConn: tcp}, err
	}
	return conn, err
}

type lingering struct {
	*net.TCPConn
	unread atomic.Bool
}

func (c *lingering) Close() error {
	if !c.unread.Swap(false) {
		return c.TCPConn.Close()
	}
	if err := c.CloseWrite(); err != nil {
		return errors.Join(err, c.TCPConn.Close())
	}
	go func() {
		if c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			_, _ = io.Copy(io.Discard, c.TCPConn) // until the client leaves
		}
		_ = c.TCPConn.Close()
	}()
	return nil
}

func tooLarge(most int64) error {
	return fault.New(fault.TooLarge, "the body of the request is larger than the %d bytes that it may have here", most)
}

// bodyOf returns what is known of the body of a request; without the frame it is in memory.
func bodyOf(c *fiber.Ctx) *received {
	if r, ok := c.Locals(receivedKey{}).(*received); ok {
		return r
	}
	return &received{}
}

// Body returns the body of a request whose route takes large ones, to be read once. As long as its bytes come the request goes on, until the handler
// gives it its usual time again (Anew). More than the route takes is fault.TooLarge.
func Body(c *fiber.Ctx) io.Reader {
	r := bodyOf(c)
	if !r.large {
		return bytes.NewReader(c.Body())
	}
	r.end = append(r.end, Longer(c, longestBody))
	return &incoming{c: c, r: r, from: c.Context().RequestBodyStream()}
}

// incoming is a body that is read as it comes.
type incoming struct {
	c    *fiber.Ctx
	r    *received
	from io.Reader
}

func (b *incoming) Read(p []byte) (int, error) {
	if b.r.done {
		return 0, io.EOF
	}
	if b.r.left < 0 {
		return 0, tooLarge(b.r.uploads.Most)
	}
	if err := b.c.Context().Conn().SetReadDeadline(time.Now().Add(readTimeout)); err != nil { // of a client that falls silent
		return 0, err
	}
	n, err := b.from.Read(p)
	if b.r.left -= int64(n); b.r.left < 0 {
		return 0, tooLarge(b.r.uploads.Most)
	}
	switch {
	case errors.Is(err, io.EOF):
		b.r.done = true
	case err != nil:
		err = fault.Wrap(fault.Invalid, err, "the body of the request did not come whole")
	}
	return n, err
}

// TempFile makes a file that lies on the disk without a name until the request is answered.
func TempFile(c *fiber.Ctx) (*os.File, error) {
	r := bodyOf(c)
	f, err := os.CreateTemp(r.uploads.Folder, ".upload-")
	if err != nil {
		return nil, err
	}
	r.end = append(r.end, func() { f.Close() })
	return f, os.Remove(f.Name())
}

// Form is what the form of a page sends.
type Form struct {
	Values map[string][]string
	Files  map[string][]FormFile
}

// FormFile is a file that a form brings. It lies on the disk until the request is answered.
type FormFile struct {
	Name, Media string // as the sender says
	File        *os.File
	Bytes       int64
}

// Value returns the first value of a name, or "".
func (f *Form) Value(name string) string {
	if f == nil || len(f.Values[name]) == 0 {
		return ""
	}
	return f.Values[name][0]
}

// ReadForm returns the form of a request, however it is encoded; it is read once.
func ReadForm(c *fiber.Ctx) (*Form, error) {
	r := bodyOf(c)
	if r.form == nil && r.formErr == nil {
		r.form, r.formErr = readForm(c)
	}
	return r.form, r.formErr
}

func readForm(c *fiber.Ctx) (*Form, error) {
	form := &Form{Values: map[string][]string{}, Files: map[string][]FormFile{}}
	boundary := string(c.Request().Header.MultipartFormBoundary())
	if boundary == "" {
		if bodyOf(c).large {
			return nil, tooLarge(maxBodyBytes)
		}
		for name, value := range c.Request().PostArgs().All() {
			form.Values[string(name)] = append(form.Values[string(name)], string(value))
		}
		return form, nil
	}
	parts, texts, count := multipart.NewReader(Body(c), boundary), int64(maxBodyBytes), mostParts
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		} else if err != nil {
			return nil, ofForm(err)
		}
		name := part.FormName()
		if count--; count < 0 {
			return nil, fault.New(fault.TooLarge, "the form has more than %d fields", mostParts)
		}
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, texts+1))
			if err != nil {
				return nil, ofForm(err)
			}
			if texts -= int64(len(value)); texts < 0 {
				return nil, tooLarge(maxBodyBytes)
			}
			form.Values[name] = append(form.Values[name], string(value))
			continue
		}
		f, err := TempFile(c)
		if err != nil {
			return nil, err
		}
		n, err := io.Copy(f, part)
		if err != nil {
			return nil, ofForm(err)
		}
		form.Files[name] = append(form.Files[name], FormFile{part.FileName(), part.Header.Get(fiber.HeaderContentType), f, n})
	}
}

// ofForm tells a form that is wrong from a disk that is.
func ofForm(err error) error {
	var known *fault.Error
	var disk *os.PathError
	if errors.As(err, &known) || errors.As(err, &disk) || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "the body of the request is not a whole form")
}

// FormValue returns a value of the form of a request, or "".
func FormValue(c *fiber.Ctx, name string) string {
	if !strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
		return c.FormValue(name)
	}
	form, _ := ReadForm(c) //nolint:errcheck // whoever needs the form is told
	return form.Value(name)
}

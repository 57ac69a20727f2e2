package processhttp

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"unicode/utf16"
	"unicode/utf8"

	"swath/fault"
	"swath/processes"
)

const (
	longText     = 256 << 10 // bytes of a text that is kept in a file
	mostDocument = 4 << 20   // of the rest
)

// lightened is a JSON document of which long texts are in files: what stands in their place is the name that files has them by.
type lightened struct {
	in       *bufio.Reader
	document bytes.Buffer
	files    map[string]*processes.Upload
	temp     func() (*os.File, error)
}

// lighten reads a document that may be larger than memory should hold. It says nothing of whether it is JSON: what is wrong in it is found in what is left.
func lighten(r io.Reader, temp func() (*os.File, error)) (document []byte, files map[string]*processes.Upload, err error) {
	l := &lightened{in: bufio.NewReaderSize(r, 64<<10), files: map[string]*processes.Upload{}, temp: temp}
	for {
		piece, err := l.in.ReadSlice('"')
		l.document.Write(piece)
		switch {
		case l.document.Len() > mostDocument:
			return nil, nil, fault.New(fault.TooLarge, "the execution has more than %d bytes beside its long texts, which are files", mostDocument)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return l.document.Bytes(), l.files, nil
		case err != nil:
			return nil, nil, err
		}
		if err := l.text(); err != nil {
			return nil, nil, err
		}
	}
}

// text reads a text behind its first quotation mark.
func (l *lightened) text() error {
	start := l.document.Len()
	for l.document.Len()-start <= longText {
		b, err := l.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil // the document ends within it
		} else if err != nil {
			return err
		}
		l.document.WriteByte(b)
		switch b {
		case '"':
			return nil
		case '\\':
			if b, err = l.in.ReadByte(); err == nil {
				l.document.WriteByte(b)
			}
		}
	}
	file, err := l.temp()
	if err != nil {
		return err
	}
	to := &countedFile{w: bufio.NewWriterSize(file, 64<<10)}
	begun := bytes.Clone(l.document.Bytes()[start:])
	l.document.Truncate(start)
	from := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(begun), l.in), 64<<10)
	if err := unquote(to, from); err != nil {
		return err
	}
	l.in = from // what it has read ahead goes on there
	name := rand.Text()
	l.files[name] = &processes.Upload{File: file, Bytes: to.n, Said: true}
	l.document.WriteString(name + `"`)
	return to.w.Flush()
}

type countedFile struct {
	w *bufio.Writer
	n int64
}

func (f *countedFile) Write(p []byte) (int, error) {
	f.n += int64(len(p))
	return f.w.Write(p)
}

// unquote writes what a text of JSON says, up to its last quotation mark, which is read.
func unquote(w io.Writer, r *bufio.Reader) error {
	broken := func(err error) error {
		if errors.Is(err, io.EOF) {
			return fault.New(fault.Invalid, "the body is not an execution: it ends within a text")
		}
		return err
	}
	for {
		if _, err := r.Peek(1); err != nil {
			return broken(err)
		}
		ahead, err := r.Peek(r.Buffered())
		if err != nil {
			return broken(err)
		}
		n := bytes.IndexAny(ahead, `"\`)
		plain := ahead
		if n >= 0 {
			plain = ahead[:n]
		}
		if _, err := w.Write(plain); err != nil {
			return err
		}
		if _, err := r.Discard(len(plain)); err != nil {
			return err
		}
		if n < 0 {
			continue
		}
		if b, _ := r.ReadByte(); b == '"' { //nolint:errcheck // it is there
			return nil
		}
		said, err := escaped(r)
		if err != nil {
			return broken(err)
		}
		if _, err := w.Write(said); err != nil {
			return err
		}
	}
}

var escapes = map[byte]string{'"': `"`, '\\': `\`, '/': "/", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}

// escaped reads what is behind a backslash (RFC 8259, section 7).
func escaped(r *bufio.Reader) ([]byte, error) {
	b, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	if b != 'u' {
		if said, ok := escapes[b]; ok {
			return []byte(said), nil
		}
		return nil, errEscape
	}
	digits, err := r.Peek(4)
	if err != nil {
		return nil, err
	}
	first, ok := unit(digits)
	if !ok {
		return nil, errEscape
	}
	if _, err := r.Discard(4); err != nil {
		return nil, err
	}
	if next, err := r.Peek(6); err == nil && utf16.IsSurrogate(first) && string(next[:2]) == `\u` {
		if second, ok := unit(next[2:]); ok && utf16.DecodeRune(first, second) != utf8.RuneError {
			_, err := r.Discard(6)
			return utf8.AppendRune(nil, utf16.DecodeRune(first, second)), err
		}
	}
	return utf8.AppendRune(nil, first), nil // half a pair is U+FFFD
}

var errEscape = fault.New(fault.Invalid, "the body is not an execution: a text has an escape that JSON does not know")

// unit reads four hexadecimal digits.
func unit(digits []byte) (rune, bool) {
	var b [2]byte
	if _, err := hex.Decode(b[:], digits); err != nil {
		return 0, false
	}
	return rune(b[0])<<8 | rune(b[1]), true
}

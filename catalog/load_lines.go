package catalog

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"

	"swath/fault"
)

const (
	longestLineBytes = 8 << 20 // a longer one is rejected
	chunkBytes       = 1 << 20 // lines that one worker takes at a time
)

// textLine is one line of a source, numbered from 1.
type textLine struct {
	number int64
	text   []byte
}

// chunk is some lines that follow each other.
type chunk struct {
	lines     []textLine
	tooLong   []int64 // numbers of lines that were
	endLine   int64   // lines that are done with this chunk
	endOffset int64   // bytes that are
	memory    *[]byte // of its lines alone, or nil
}

// chunkMemory is that of chunks that are done.
var chunkMemory = sync.Pool{New: func() any {
	memory := make([]byte, 0, chunkBytes+chunkBytes/4)
	return &memory
}}

// free gives the memory of the lines to other chunks.
func (c chunk) free() {
	if c.memory != nil && cap(*c.memory) < 2*chunkBytes {
		chunkMemory.Put(c.memory)
	}
}

// lineReader cuts a text into chunks.
type lineReader struct {
	in     *bufio.Reader
	mapped []byte // all of the text, instead of in
	line   int64  // that was read last
	offset int64  // behind it
	held   *chunk // was read, and comes next
}

func newLineReader(text io.Reader, line, offset int64) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(text, 256<<10), line: line, offset: offset}
}

// newMappedReader reads a text that lies in memory, which holds the lines as long as they are needed.
func newMappedReader(mapped []byte, line, offset int64) *lineReader {
	return &lineReader{mapped: mapped, line: line, offset: offset}
}

// chunk returns the next lines. A line that alone is true of comes in a chunk of its own. After the last line the error is
// io.EOF; what is wrong with the text comes together with the lines before it.
func (r *lineReader) chunk(alone func(text []byte) bool) (c chunk, err error) {
	if r.held != nil {
		c, r.held = *r.held, nil
		return c, nil
	}
	var memory *[]byte
	var store []byte
	if r.mapped == nil {
		memory = chunkMemory.Get().(*[]byte)
		store = (*memory)[:0]
	}
	c.endLine, c.endOffset = r.line, r.offset
	for begin := r.offset; r.offset < begin+chunkBytes; {
		var text []byte
		var long bool
		if r.mapped != nil {
			text, long, err = r.nextMapped()
		} else {
			begin := len(store)
			store, long, err = r.next(store)
			text = store[begin:]
		}
		if err != nil {
			break
		}
		text = bytes.TrimSpace(text)
		if r.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if alone(text) {
			single := chunk{lines: []textLine{{r.line, text}}, endLine: r.line, endOffset: r.offset}
			if len(c.lines) == 0 && len(c.tooLong) == 0 {
				return single, nil
			}
			r.held = &single
			return c, nil
		}
		if long {
			c.tooLong = append(c.tooLong, r.line)
		} else if len(text) > 0 {
			c.lines = append(c.lines, textLine{r.line, text})
		}
		c.endLine, c.endOffset = r.line, r.offset
	}
	if memory != nil {
		*memory = store
		c.memory = memory
	}
	return c, err
}

// nextMapped returns the next line where it lies.
func (r *lineReader) nextMapped() (text []byte, long bool, err error) {
	rest := r.mapped[r.offset:]
	if len(rest) == 0 {
		return nil, false, io.EOF
	}
	end := bytes.IndexByte(rest, '\n') + 1
	if end == 0 {
		end = len(rest) // the last line may lack its end
	}
	r.line, r.offset = r.line+1, r.offset+int64(end)
	if end > longestLineBytes {
		return nil, true, nil
	}
	return rest[:end:end], false, nil
}

// next appends the next line to store, or nothing of it when it is too long.
func (r *lineReader) next(store []byte) (out []byte, long bool, err error) {
	begin, read := len(store), int64(0)
	for {
		piece, err := r.in.ReadSlice('\n')
		read += int64(len(piece))
		if long = long || read > longestLineBytes; long {
			store = store[:begin]
		} else {
			store = append(store, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil || errors.Is(err, io.EOF) && read > 0: // the last line may lack its end
			r.line, r.offset = r.line+1, r.offset+read
			return store, long, nil
		default:
			return store[:begin], false, err // a line that the damage cuts is not one
		}
	}
}

var errLongLine = fault.New(fault.Invalid, "the line is longer than %d MiB", longestLineBytes>>20)

package parcel

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"time"

	"swath/fault"
	"swath/objects"
)

// File is a file of a zip.
type File struct {
	Name   string // in the zip, with slashes; UTF-8
	Object objects.Object
}

// Zip is a zip that is never built. It is an objects.Object, whose SHA256 is not that of its bytes but of what decides them. One goroutine at
// a time may read it.
type Zip struct {
	files  []File
	crc    func(ctx context.Context, o objects.Object) (uint32, error)
	ctx    context.Context
	info   objects.Info
	time   uint32 // of every file, as MS-DOS has it
	pieces []piece
}

// piece is a part of the zip that begins at an offset.
type piece struct {
	off  int64
	kind kind
	file int
}

type kind int

const (
	header kind = iota
	content
	listed // the file's entry in the directory
	end
)

// Sizes and marks of the format (PKWARE's APPNOTE 6.3.10, 4.3 and 4.5.3).
const (
	headerBytes    = 30
	entryBytes     = 46
	endBytes       = 22
	end64Bytes     = 56 + 20 // with its locator
	extra64Bytes   = 4       // of the extra field of zip64, and 8 for each number in it
	plain, zip64   = 20, 45  // versions of the format that a reader must know
	unix           = 3 << 8  // the system by which attributes are meant
	regular        = 0o100644 << 16
	utf8Names      = 1 << 11
	most16, most32 = math.MaxUint16, math.MaxUint32
)

// New makes a zip of open objects, which Close closes, and whose files are dated at. Crc returns the CRC-32 of an object; see Sums.
func New(ctx context.Context, name string, files []File, at time.Time, crc func(context.Context, objects.Object) (uint32, error)) (*Zip, error) {
	z := &Zip{files: slices.Clone(files), crc: crc, ctx: context.WithoutCancel(ctx), time: dosTime(at)}
	slices.SortFunc(z.files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	tag := sha256.New()
	fmt.Fprintf(tag, "stored zip 1, %d files, dated %d\n", len(files), z.time)
	var off int64
	var modified time.Time
	for i, f := range z.files {
		info := f.Object.Info()
		if len(f.Name) == 0 || len(f.Name) > most16 || i > 0 && z.files[i-1].Name == f.Name {
			return nil, fault.New(fault.Invalid, "a zip can't have a file %.60q, or not twice", f.Name)
		}
		fmt.Fprintf(tag, "%q %d %s\n", f.Name, info.Size, info.SHA256)
		z.pieces = append(z.pieces, piece{off, header, i})
		off += int64(len(z.header(i, 0)))
		z.pieces = append(z.pieces, piece{off, content, i})
		off += info.Size
		if info.Modified.After(modified) {
			modified = info.Modified
		}
	}
	directory := off
	offset := func(i int) int64 { return z.pieces[2*i].off }
	for i := range z.files {
		z.pieces = append(z.pieces, piece{off, listed, i})
		off += int64(len(z.entry(i, offset(i), 0)))
	}
	z.pieces = append(z.pieces, piece{off, end, 0})
	off += int64(len(z.end(directory, off)))
	z.info = objects.Info{Key: name, Size: off, SHA256: hex.EncodeToString(tag.Sum(nil)), ContentType: "application/zip", Modified: modified}
	return z, nil
}

// Info describes the zip; its time is that of its newest file.
func (z *Zip) Info() objects.Info { return z.info }

// Close closes the files.
func (z *Zip) Close() (err error) {
	for _, f := range z.files {
		err = errors.Join(err, f.Object.Close())
	}
	return err
}

// ReadAt is io.ReaderAt.
func (z *Zip) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= z.info.Size {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.info.Size-off)
	s := z.Stream(off, n)
	defer s.Close()
	got, err := io.ReadFull(s, p[:n])
	if err == nil && n < int64(len(p)) {
		err = io.EOF
	}
	return got, err
}

// Stream reads n bytes from off in their order.
func (z *Zip) Stream(off, n int64) io.ReadCloser { return &stream{z: z, off: off, end: off + n} }

// part opens the bytes from off on, to the end of their piece or to end; a CRC-32 that is not known yet is found out.
func (z *Zip) part(off, to int64) (io.ReadCloser, int64, error) {
	i := sort.Search(len(z.pieces), func(i int) bool { return z.pieces[i].off > off }) - 1
	p, next := z.pieces[i], z.info.Size // of an empty file and what is behind it, the latter
	if i+1 < len(z.pieces) {
		next = z.pieces[i+1].off
	}
	n := min(next, to) - off
	if p.kind == content {
		return objects.Stream(z.files[p.file].Object, off-p.off, n), n, nil
	}
	var crc uint32
	if p.kind != end {
		var err error
		if crc, err = z.crc(z.ctx, z.files[p.file].Object); err != nil {
			return nil, 0, fmt.Errorf("zip: CRC-32 of %s: %w", z.files[p.file].Name, err)
		}
	}
	var text []byte
	switch p.kind {
	case header:
		text = z.header(p.file, crc)
	case listed:
		text = z.entry(p.file, z.pieces[2*p.file].off, crc)
	case end:
		text = z.end(z.pieces[2*len(z.files)].off, p.off)
	}
	return io.NopCloser(bytes.NewReader(text[off-p.off:][:n])), n, nil
}

// header is what stands before a file.
func (z *Zip) header(i int, crc uint32) []byte {
	name, size := z.files[i].Name, uint64(z.files[i].Object.Info().Size)
	version, extra := uint16(plain), []byte(nil)
	if size >= most32 {
		version, extra = zip64, extra64(size, size)
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, headerBytes+len(name)+len(extra)), 0x04034b50)
	b = z.common(b, version, crc, size, name, extra)
	return append(append(b, name...), extra...)
}

// common appends what header and entry both have: from the version that a reader needs to the lengths of name and extra field.
func (z *Zip) common(b []byte, version uint16, crc uint32, size uint64, name string, extra []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(le.AppendUint16(le.AppendUint16(b, version), utf8Names), 0) // stored
	b = le.AppendUint32(le.AppendUint32(b, z.time), crc)
	for range 2 { // packed and as it is
		b = le.AppendUint32(b, uint32(min(size, most32)))
	}
	return le.AppendUint16(le.AppendUint16(b, uint16(len(name))), uint16(len(extra)))
}

// entry is what the directory says of a file whose header is at off.
func (z *Zip) entry(i int, off int64, crc uint32) []byte {
	le := binary.LittleEndian
	name, size := z.files[i].Name, uint64(z.files[i].Object.Info().Size)
	var large []uint64
	if size >= most32 {
		large = append(large, size, size)
	}
	if uint64(off) >= most32 {
		large = append(large, uint64(off))
	}
	version, extra := uint16(plain), []byte(nil)
	if large != nil {
		version, extra = zip64, extra64(large...)
	}
	b := le.AppendUint32(make([]byte, 0, entryBytes+len(name)+len(extra)), 0x02014b50)
	b = z.common(le.AppendUint16(b, unix|version), version, crc, size, name, extra)
	b = le.AppendUint16(le.AppendUint16(le.AppendUint16(b, 0), 0), 0) // no comment, the first disk, binary
	b = le.AppendUint32(le.AppendUint32(b, regular), uint32(min(uint64(off), most32)))
	return append(append(b, name...), extra...)
}

func extra64(numbers ...uint64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16(le.AppendUint16(make([]byte, 0, extra64Bytes+8*len(numbers)), 1), uint16(8*len(numbers)))
	for _, n := range numbers {
		b = le.AppendUint64(b, n)
	}
	return b
}

// end is what stands behind a directory from an offset to another.
func (z *Zip) end(from, to int64) (b []byte) {
	le := binary.LittleEndian
	n, size, off := uint64(len(z.files)), uint64(to-from), uint64(from)
	if n >= most16 || size >= most32 || off >= most32 {
		b = le.AppendUint64(le.AppendUint32(make([]byte, 0, end64Bytes+endBytes), 0x06064b50), 56-12)
		b = le.AppendUint16(le.AppendUint16(b, unix|zip64), zip64)
		b = le.AppendUint64(b, 0) // this disk, and that of the directory
		for _, v := range []uint64{n, n, size, off} {
			b = le.AppendUint64(b, v)
		}
		b = le.AppendUint32(le.AppendUint32(b, 0x07064b50), 0)
		b = le.AppendUint32(le.AppendUint64(b, uint64(to)), 1)
	}
	b = le.AppendUint32(le.AppendUint32(b, 0x06054b50), 0)
	b = le.AppendUint16(le.AppendUint16(b, uint16(min(n, most16))), uint16(min(n, most16)))
	b = le.AppendUint32(le.AppendUint32(b, uint32(min(size, most32))), uint32(min(off, most32)))
	return le.AppendUint16(b, 0)
}

// dosTime is a time to two seconds, time below date; what the format can't say is its first day.
func dosTime(t time.Time) uint32 {
	t = t.UTC()
	if t.Year() < 1980 || t.Year() > 2107 {
		return 1<<21 | 1<<16
	}
	date := (t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()
	return uint32(date)<<16 | uint32(t.Hour()<<11|t.Minute()<<5|t.Second()/2)
}

// stream reads pieces one after the other.
type stream struct {
	z        *Zip
	off, end int64
	part     io.ReadCloser // nil: to be opened
	left     int64         // of it
}

// next opens the part that has the next byte, where none is open.
func (s *stream) next() (err error) {
	if s.part == nil && s.off < s.end {
		s.part, s.left, err = s.z.part(s.off, s.end)
	}
	return err
}

// done counts bytes that were read, and puts a part away that is used up.
func (s *stream) done(n int64, err error) error {
	s.off, s.left = s.off+n, s.left-n
	switch {
	case err != nil && err != io.EOF:
		return err
	case s.left == 0:
		return s.Close()
	case err == io.EOF || n == 0:
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (s *stream) Read(p []byte) (int, error) {
	if err := s.next(); err != nil || len(p) == 0 {
		return 0, err
	}
	if s.part == nil {
		return 0, io.EOF
	}
	n, err := s.part.Read(p[:min(int64(len(p)), s.left)])
	return n, s.done(int64(n), err)
}

// WriteTo lets each file find its way to a socket through the kernel.
func (s *stream) WriteTo(w io.Writer) (total int64, err error) {
	for s.off < s.end && err == nil {
		if err = s.next(); err == nil {
			var n int64
			n, err = io.Copy(w, s.part)
			total += n
			err = s.done(n, err)
		}
	}
	return total, err
}

// Close puts the open part away.
func (s *stream) Close() (err error) {
	if s.part != nil {
		err, s.part = s.part.Close(), nil
	}
	return err
}

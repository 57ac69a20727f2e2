package fetch

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTally: sums of what came are those of the file, however it came: from a part of a run before, broken off and resumed, begun anew by the
// source, and of a file whose bytes came otherwise.
func TestTally(t *testing.T) {
	whole := make([]byte, 3_000_001)
	random := rand.NewChaCha8([32]byte{3})
	random.Read(whole) //nolint:errcheck // it never fails
	other := bytes.Repeat([]byte("another file "), 100_000)
	type answer struct {
		from, to int // what comes; to below the end: it breaks off
		tag      string
		body     []byte
	}
	for name, tc := range map[string]struct {
		before  []byte // the part that is there
		answers []answer
		want    []byte
	}{
		"at once":             {nil, []answer{{0, len(whole), `"a"`, whole}}, whole},
		"of a run before":     {whole[:1_234_567], []answer{{1_234_567, len(whole), `"a"`, whole}}, whole},
		"broken off":          {nil, []answer{{0, 1_000_003, `"a"`, whole}, {1_000_003, 2_000_000, `"a"`, whole}, {2_000_000, len(whole), `"a"`, whole}}, whole},
		"another file":        {whole[:500_000], []answer{{0, len(other), `"b"`, other}}, other},
		"begun anew":          {nil, []answer{{0, 2_000_000, `"a"`, whole}, {0, 1_000_000, `"b"`, other}, {1_000_000, len(other), `"b"`, other}}, other},
		"before, then anew":   {whole[:700_000], []answer{{700_000, 900_000, `"a"`, whole}, {0, len(other), `"b"`, other}}, other},
		"without a tag again": {nil, []answer{{0, 2_500_000, "", whole}, {0, len(whole), "", whole}}, whole},
	} {
		t.Run(name, func(t *testing.T) {
			part := filepath.Join(t.TempDir(), "part")
			if tc.before != nil {
				if err := errors.Join(os.WriteFile(part, tc.before, 0o644), os.WriteFile(part+".tag", []byte(`"a"`), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			answers := tc.answers
			open := func(context.Context, int64, string) (*Body, error) {
				a := answers[0]
				answers = answers[1:]
				body := io.MultiReader(bytes.NewReader(a.body[a.from:a.to]), broken{a.to < len(a.body)})
				return &Body{ReadCloser: io.NopCloser(body), From: int64(a.from), Total: int64(len(a.body)), Tag: a.tag}, nil
			}
			tally := NewTally("MD5", "SHA256", "CRC99")
			if err := Into(t.Context(), open, part, Options{Stall: time.Minute, Wait: time.Microsecond, Resumes: 3, Tally: tally}); err != nil {
				t.Fatal(err)
			}
			check := func(want []byte) {
				t.Helper()
				size, sums, err := tally.Of(t.Context(), part)
				if err != nil || size != int64(len(want)) || len(sums) != 2 {
					t.Fatalf("%d bytes, %v, %v", size, sums, err)
				}
				short, long := md5.Sum(want), sha256.Sum256(want)
				for _, s := range sums {
					if right := map[string]string{"MD5": hex.EncodeToString(short[:]), "SHA256": hex.EncodeToString(long[:])}[s.Algorithm]; s.Value != right {
						t.Errorf("%s %s, want %s", s.Algorithm, s.Value, right)
					}
				}
			}
			check(tc.want)
			if err := os.WriteFile(part, tc.want[:1000], 0o644); err != nil { // it is shorter now
				t.Fatal(err)
			}
			check(tc.want[:1000])
		})
	}
}

// broken is the end of a body, or what breaks it off.
type broken struct{ is bool }

func (b broken) Read([]byte) (int, error) {
	if b.is {
		return 0, io.ErrUnexpectedEOF
	}
	return 0, io.EOF
}

// TestCheckZipInPieces: a zip of files that are smaller and larger than the pieces in which it is read is sound, and a changed byte of each is
// found.
func TestCheckZipInPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	var at []int
	for i, size := range []int{10, 70_000, chunkBytes - 1, chunkBytes, 3*chunkBytes + 17, 5} {
		data := make([]byte, size)
		for j := range data {
			data[j] = byte(random.IntN(7))
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: string(rune('a' + i)), Method: uint16(i%2) * zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := z.Flush(); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			at = append(at, out.Len()-size/2-1)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.zip")
	check := func(body []byte) error {
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
		return CheckZip(t.Context(), path, 0)
	}
	if err := check(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	for _, i := range at {
		body := bytes.Clone(out.Bytes())
		body[i] ^= 1
		var unsound *Unsound
		if err := check(body); !errors.As(err, &unsound) {
			t.Errorf("a wrong byte at %d of %d: %v", i, len(body), err)
		}
	}
}

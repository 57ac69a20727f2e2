package hubtest

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// S3Key is the access key of the S3 face.
const S3Key, S3Secret = "hub-access", "hub-secret"

// s3 answers as the bucket eodata: the files of every product below {id}/{name}/.
func (s *Server) s3(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Authorization"), "Credential="+S3Key+"/") {
		s3Error(w, http.StatusForbidden, "InvalidAccessKeyId")
		return
	}
	key := strings.Trim(strings.TrimPrefix(r.URL.Path, "/eodata"), "/")
	if key == "" {
		s.s3List(w, r.URL.Query().Get("prefix"))
		return
	}
	id, inside, _ := strings.Cut(key, "/")
	struck := s.fault("s3 "+key, "503", "500", "drop", "truncate", "corrupt", "etag")
	switch struck {
	case "503":
		s3Error(w, http.StatusServiceUnavailable, "SlowDown")
		return
	case "500":
		s3Error(w, http.StatusInternalServerError, "InternalError")
		return
	case "drop":
		panic(http.ErrAbortHandler)
	}
	if one, _, ok := s.Archive.find(id); ok && one.offline {
		s3Error(w, http.StatusForbidden, "InvalidObjectState")
		return
	}
	body, ok := s.s3Files(id)[inside]
	if !ok {
		s3Error(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	tag := etag(body)
	if match := r.Header.Get("If-Match"); match != "" && match != tag {
		s3Error(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	from, status := 0, http.StatusOK
	if begin, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		from, _ = strconv.Atoi(strings.TrimSuffix(begin, "-"))
		if status = http.StatusPartialContent; from >= len(body) {
			s3Error(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
	}
	send := body[from:]
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Length", strconv.Itoa(len(send)))
	switch struck {
	case "truncate", "etag":
		if struck == "etag" {
			w.Header().Set("ETag", `"changed"`)
		}
		w.WriteHeader(status)
		n, _ := w.Write(send[:len(send)/2])
		s.Bytes.Add(int64(n))
		panic(http.ErrAbortHandler)
	case "corrupt":
		send = slices.Clone(send)
		send[len(send)/3] ^= 0x55
	}
	w.WriteHeader(status)
	n, _ := w.Write(send)
	s.Bytes.Add(int64(n))
}

// s3Files unpacks a product: its files by their keys behind the id.
func (s *Server) s3Files(id string) map[string][]byte {
	_, body, ok := s.Archive.find(id)
	if !ok {
		return nil
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		if r, err := f.Open(); err == nil {
			files[f.Name], _ = io.ReadAll(r)
			r.Close()
		}
	}
	return files
}

func (s *Server) s3List(w http.ResponseWriter, prefix string) {
	switch s.fault("s3 list "+prefix, "503", "500", "drop") {
	case "503":
		s3Error(w, http.StatusServiceUnavailable, "SlowDown")
		return
	case "500":
		s3Error(w, http.StatusInternalServerError, "InternalError")
		return
	case "drop":
		panic(http.ErrAbortHandler)
	}
	type object struct {
		Key, ETag, LastModified string
		Size                    int
	}
	out := struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		Name        string
		KeyCount    int
		IsTruncated bool
		Contents    []object
	}{Name: "eodata"}
	id, _, _ := strings.Cut(prefix, "/")
	for name, body := range s.s3Files(id) {
		if key := id + "/" + name; strings.HasPrefix(key, prefix) {
			out.Contents = append(out.Contents, object{key, etag(body), "2024-01-01T00:00:00.000Z", len(body)})
		}
	}
	slices.SortFunc(out.Contents, func(a, b object) int { return strings.Compare(a.Key, b.Key) })
	out.KeyCount = len(out.Contents)
	w.Header().Set("Content-Type", "application/xml")
	xml.NewEncoder(w).Encode(out) //nolint:errcheck // the client sees it
}

func s3Error(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}

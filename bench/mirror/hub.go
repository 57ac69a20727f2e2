package main

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"lukechampine.com/blake3"
)

// first is the publication of the first row of every hub of the bench.
var first = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

const layout = "2006-01-02T15:04:05.000Z"

// rowText is a row of the hub as CDSE writes it.
func rowText(i int, name, sum string, bytes int64, published time.Time) string {
	return fmt.Sprintf(`{"@odata.mediaContentType":"application/octet-stream","Id":"%08x-0000-4000-8000-%012d","Name":%q,"ContentType":"application/octet-stream","ContentLength":%d,"OriginDate":%q,`+
		`"PublicationDate":%q,"ModificationDate":%q,"Online":true,"EvictionDate":"9999-12-31T23:59:59.999999Z","S3Path":"/eodata/Sentinel-2/MSI/L1C/%s","Checksum":[%s],`+
		`"ContentDate":{"Start":%q,"End":%q},"Footprint":"geography'SRID=4326;POLYGON ((1 43, 2 43, 2 44, 1 44, 1 43))'","GeoFootprint":{"type":"Polygon","coordinates":[[[1,43],[2,43],[2,44],[1,44],[1,43]]]}}`,
		i*7, i, name, bytes, published.Format(layout), published.Format(layout), published.Format(layout), name, sum,
		published.Add(-3*time.Hour).Format(layout), published.Add(-3*time.Hour).Format(layout))
}

// serve is a fast hub: its rows are made before, a minute apart, and its files are all the same. It says the MD5 of each and, as CDSE does
// of what is new, its BLAKE3.
func serve(products, files int, size int64, modern bool) error {
	var body []byte
	var sum string
	if files > 0 {
		body = product(size)
	}
	told := func(algorithm, digits string) string {
		return fmt.Sprintf(`{"Value":%q,"Algorithm":%q,"ChecksumDate":%q}`, digits, algorithm, first.Format(layout))
	}
	digest, newer := md5.Sum(body), blake3.Sum256(body)
	if sum = told("MD5", hex.EncodeToString(digest[:])); modern {
		sum += "," + told("BLAKE3", hex.EncodeToString(newer[:]))
	}
	rows := make([]string, max(products, files))
	for i := range rows {
		published := first.Add(time.Duration(i) * time.Minute)
		name := fmt.Sprintf("BENCH_MSIL1C_%s_N0500_R%03d_T31TCJ_%s.zip", published.Format("20060102T150405"), 1+i%143, published.Format("20060102T150405"))
		rows[i] = rowText(i, name, sum, int64(len(body)), published)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/$value") {
			w.Header().Set("ETag", `"one"`)
			w.Header().Set("Content-Type", "application/zip")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
			return
		}
		q := r.URL.Query()
		skip, _ := strconv.Atoi(q.Get("$skip"))
		top, _ := strconv.Atoi(q.Get("$top"))
		from := 0
		for _, date := range []string{"PublicationDate ge ", "ModificationDate ge "} {
			if _, rest, ok := strings.Cut(q.Get("$filter"), date); ok {
				at, _, _ := strings.Cut(rest, " ")
				if since, err := time.Parse(time.RFC3339Nano, at); err == nil {
					from = max(0, min(len(rows), int(since.Sub(first).Minutes())))
				}
			}
		}
		if strings.HasSuffix(r.URL.Path, "DeletedProducts") || strings.Contains(q.Get("$filter"), "ContentDate/Start") {
			from = len(rows)
		}
		w.Header().Set("Content-Type", "application/json")
		rest := rows[from:]
		page := rest[min(skip, len(rest)):min(skip+top, len(rest))]
		next := ""
		if skip+top < len(rest) {
			next = `,"@odata.nextLink":"more"`
		}
		fmt.Fprintf(w, `{"@odata.count":%d,"value":[%s]%s}`, len(rest), strings.Join(page, ","), next) //nolint:errcheck // the client sees it
	}))
}

// product is a sound zip of stored bytes.
func product(size int64) []byte {
	random := rand.NewChaCha8([32]byte{7})
	data := make([]byte, size)
	random.Read(data) //nolint:errcheck // it never fails
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	f, err := z.CreateHeader(&zip.FileHeader{Name: "data.bin", Method: zip.Store})
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // a buffer never fails
	}
	return out.Bytes()
}

package stac

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
)

// ProductAsset is the asset of the original product as its agency packed it.
const ProductAsset = "product"

// UUID names an item as older protocols want it. It follows from the item's two names, so that it is the same on every server and
// after every reload, and it holds the hash by which the catalog finds items, so that nobody keeps an index of UUIDs: 64 bits of
// xxHash of the id, then 58 of the SHA-256 of both names (RFC 9562, version 8).
func UUID(collection, id string) string {
	hash := xxhash.Sum64String(id)
	sum := sha256.Sum256([]byte(collection + "/" + id))
	rest := binary.BigEndian.Uint64(sum[:]) >> 6
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], hash>>16<<16|8<<12|hash&0xffff>>4)
	binary.BigEndian.PutUint64(u[8:], 2<<62|hash&0xf<<58|rest)
	return u.String()
}

// HashInUUID returns the hash of an item's id that a UUID holds; ok is false of what UUID never makes.
func HashInUUID(text string) (hash uint64, ok bool) {
	u, err := uuid.Parse(text)
	if err != nil || u.Version() != 8 || u.Variant() != uuid.RFC4122 {
		return 0, false
	}
	high, low := binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
	return high>>16<<16 | high&0xfff<<4 | low>>58&0xf, true
}

// SameUUID compares two, in whatever case they are written.
func SameUUID(a, b string) bool { return strings.EqualFold(a, b) }

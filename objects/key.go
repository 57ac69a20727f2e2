package objects

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"swath/fault"
)

const (
	maxKeyBytes     = 1024 // Amazon S3 User Guide, "Naming Amazon S3 objects"
	maxSegmentBytes = 255  // NAME_MAX of the usual file systems
)

// checkKey refuses what one of the stores could not keep, or what could leave its folder.
func checkKey(key string) error {
	switch {
	case key == "":
		return fault.New(fault.Invalid, "an object key is empty")
	case len(key) > maxKeyBytes:
		return fault.New(fault.Invalid, "object key %.40q… is longer than %d bytes", key, maxKeyBytes)
	case !utf8.ValidString(key):
		return fault.New(fault.Invalid, "object key %q is not UTF-8", key)
	case strings.ContainsFunc(key, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }):
		return fault.New(fault.Invalid, "object key %q holds a backslash or a control character", key)
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return fault.New(fault.Invalid, "object key %q has the segment %q", key, segment)
		case len(segment) > maxSegmentBytes:
			return fault.New(fault.Invalid, "object key %.40q… has a segment longer than %d bytes", key, maxSegmentBytes)
		}
	}
	return nil
}

// splitPrefix returns the folder that holds every key beginning with prefix ("" for the root), and how their next segment begins.
func splitPrefix(prefix string) (dir, begin string, err error) {
	slash := strings.LastIndexByte(prefix, '/')
	if slash < 0 {
		return "", prefix, nil
	}
	dir = prefix[:slash]
	return dir, prefix[slash+1:], checkKey(dir)
}

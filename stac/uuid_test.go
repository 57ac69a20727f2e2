package stac

import (
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
)

func TestUUID(t *testing.T) {
	seen := map[string]string{}
	for _, name := range [][2]string{{"sentinel-2-l1c", "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"}, {"a", "b/c"}, {"a/b", "c"}, {"é", "ü"}, {"other", "b/c"}, {"", ""}} {
		text := UUID(name[0], name[1])
		u, err := uuid.Parse(text)
		if err != nil || u.Version() != 8 || u.Variant() != uuid.RFC4122 || text != UUID(name[0], name[1]) {
			t.Errorf("UUID%q = %s, %v", name, text, err)
		}
		if hash, ok := HashInUUID(text); !ok || hash != xxhash.Sum64String(name[1]) {
			t.Errorf("%s holds %x, %v", text, hash, ok)
		}
		if seen[text] != "" {
			t.Errorf("%q and %s are both %s", name, seen[text], text)
		}
		seen[text] = name[0]
	}
	for _, wrong := range []string{"", "x", "01f888ef-3368-59ff-a639-52242d159d7c"} {
		if _, ok := HashInUUID(wrong); ok {
			t.Errorf("%q is taken for one of ours", wrong)
		}
	}
}

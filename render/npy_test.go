package render

import (
	"bytes"
	"os"
	"testing"

	"swath/fault"
)

// TestNPYAgreesWithNumpy: planes.npy is what numpy.save made of two planes and their mask.
func TestNPYAgreesWithNumpy(t *testing.T) {
	want := must(os.ReadFile("testdata/truth/planes.npy"))
	got := must(EncodeNPY([][]float32{{1.5, nan, -3e38, 0, 7, 8}, {1, 2, 3, 4, nan, 6}}, 3, 2))
	values := 4 * 3 * 6
	if !bytes.Equal(got[:len(got)-values], want[:len(want)-values]) {
		t.Errorf("begins with %q, want %q", got[:len(got)-values], want[:len(want)-values])
	}
	same := func(i int) bool { return bytes.Equal(got[len(got)-4*i:][:4], want[len(want)-4*i:][:4]) }
	for i := 1; i <= values/4; i++ { // from the end; of two NaN any bits are right
		if hole := i == 17 || i == 8; !hole && !same(i) || hole && got[len(got)-4*i+3]&0x7f != 0x7f {
			t.Errorf("value %d from the end differs", i)
		}
	}
	if _, err := EncodeNPY(nil, 3, 2); !fault.Is(err, fault.Invalid) {
		t.Errorf("no planes: %v", err)
	}
	if _, err := EncodeNPY([][]float32{{1}}, 3, 2); err == nil {
		t.Error("a plane that is too short")
	}
}

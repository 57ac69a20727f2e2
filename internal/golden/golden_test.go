package golden

import (
	"image"
	"image/color"
	"testing"
)

func TestCompare(t *testing.T) {
	a, b := image.NewGray(image.Rect(0, 0, 4, 4)), image.NewGray(image.Rect(5, 5, 9, 9))
	if err := compare(a, b, 0); err != nil {
		t.Errorf("equal images: %v", err)
	}
	b.SetGray(6, 7, color.Gray{Y: 3})
	if err := compare(a, b, 3); err != nil {
		t.Errorf("within tolerance: %v", err)
	}
	if err := compare(a, b, 2); err == nil {
		t.Error("a difference of 3 passes a tolerance of 2")
	}
	if err := compare(a, image.NewGray(image.Rect(0, 0, 4, 5)), 255); err == nil {
		t.Error("sizes differ and nobody minds")
	}
}

func TestEqual(t *testing.T) {
	Equal(t, "hello.txt", []byte("hello\n"))
	failing := &recorder{TB: t}
	Equal(failing, "hello.txt", []byte("help\n"))
	if !failing.failed {
		t.Error("a difference passes")
	}
}

// recorder notes failures instead of failing.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

package main

import (
	"io"
	"log/slog"

	"swath/fault"
)

// newLog returns the logger that the configuration asks for.
func newLog(c Log, w io.Writer) (*slog.Logger, error) {
	level, err := logLevel(c.Level)
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}

func logLevel(name string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return 0, fault.New(fault.Invalid, "log level %q", name)
	}
	return level, nil
}

// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestUnsupported(t *testing.T) {
	err := fmt.Errorf("build t0: %w", &UnsupportedError{Feature: "link kind tun", Hint: "CONFIG_TUN", Err: io.EOF})
	if !errors.Is(err, ErrUnsupported) || !errors.Is(err, io.EOF) {
		t.Errorf("%v is neither unsupported nor has its cause", err)
	}
	if errors.Is(errors.New("no memory"), ErrUnsupported) {
		t.Error("any error is unsupported")
	}
	if got, want := WithHint(err), "build t0: link kind tun is not available here: EOF; CONFIG_TUN"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := WithHint(io.EOF); got != "EOF" {
		t.Errorf("got %q", got)
	}
}

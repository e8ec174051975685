// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// ParseRate reads packets per second: a number like 250 or 0.5, N/DURATION
// like 1/10s, or max, which is 0. Anything else must be within MinRate and
// MaxRate.
func ParseRate(s string) (float64, error) {
	if s == "max" {
		return 0, nil
	}
	rate, err := parsePerTime(s)
	if err != nil {
		return 0, err
	}
	return rate, checkRate(rate)
}

func parsePerTime(s string) (float64, error) {
	count, per, found := strings.Cut(s, "/")
	n, err := parseNumber(count)
	if err != nil || !found {
		return n, err
	}
	d, err := parseSpan(per)
	if err != nil {
		return 0, err
	}
	if d <= 0 {
		return 0, errors.New("it divides by no time")
	}
	return n / d.Seconds(), nil
}

func checkRate(rate float64) error {
	if !within(rate, MinRate, MaxRate) {
		return fmt.Errorf("the rate is not within %v and %v packets per second", MinRate, MaxRate)
	}
	return nil
}

// FormatRate writes a rate so that ParseRate reads the same.
func FormatRate(rate float64) string {
	if rate == 0 {
		return "max"
	}
	return strconv.FormatFloat(rate, 'f', -1, 64)
}

// ParseSize reads bytes: 1500, 10kb (10000), 64MB (64000000), 64KiB (65536).
// At most 2147483647.
func ParseSize(s string) (int, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || strings.HasPrefix(strings.TrimSpace(s), "-") {
		return 0, errors.New("it is no size")
	}
	if n > maxInt32 {
		return 0, errors.New("it is over 2147483647 bytes")
	}
	return int(n), nil
}

// ParseBitrate reads bits per second: 8bit, 100kbit, 1mbit, 10gbit; the steps
// are of 1000, as tc's. The unit is needed.
func ParseBitrate(s string) (uint64, error) {
	number, found := strings.CutSuffix(strings.ToLower(s), "bit")
	if !found {
		return 0, errors.New("it has no unit")
	}
	factor := uint64(1)
	for i, prefix := range []string{"k", "m", "g"} {
		if n, ok := strings.CutSuffix(number, prefix); ok {
			number, factor = n, uint64(math.Pow10(3*(i+1)))
		}
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || n > math.MaxUint64/factor {
		return 0, errors.New("it is no rate")
	}
	return n * factor, nil
}

func parseWhole(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("it is far too large")
	case err != nil:
		return 0, errors.New("it is no whole number")
	}
	return int(n), nil
}

func parseNumber(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, errors.New("it is no number")
	}
	return f, nil
}

func parseTruth(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("it is neither true nor false")
}

func parseSpan(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("it is no duration")
	}
	return d, nil
}

// SPDX-License-Identifier: GPL-2.0-only

// Package verdict judges a trace: record.Trace in, Finding out.
//
// It is pure: no I/O, no clock, nothing kept between calls. So every verdict
// can be replayed from a saved trace, on any machine:
//
//	skleak run --save /tmp/t hold/tbf && skleak judge /tmp/t
//
// docs/verdicts.md says what each verdict means and how the law is computed.
package verdict

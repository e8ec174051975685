// SPDX-License-Identifier: GPL-2.0-only

// Package reports writes a record.Report for different readers: a table for
// people, JSON for programs, KTAP for kernel test machinery, JUnit for CI
// servers. It also has the live view that a terminal shows while a run is
// under way.
//
// A format is one file and one line in Formats. The package needs nothing: it
// looks at no terminal and no environment, the caller says how wide, how
// colourful and in which characters.
//
//	skleak run --format ktap hold/tbf
package reports

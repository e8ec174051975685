// SPDX-License-Identifier: GPL-2.0-only

// Package reproducer writes a scenario as a shell script in the manner of the
// kernel's selftests: it needs no skleak, only iproute2 and a C compiler, builds
// the links in a namespace, sends, measures, undoes one thing after another, and
// prints KTAP with the same verdict.
//
//	skleak report traces hold/tbf --format reproducer -o hold-tbf.sh
package reproducer

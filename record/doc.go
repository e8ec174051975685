// SPDX-License-Identifier: GPL-2.0-only

// Package record is skleak's vocabulary: the events an experiment streams, the
// Trace it leaves, the Result a judge makes of it and the Report that holds
// the results of one or many kernels.
//
// It is plain data with a versioned codec (JSON lines for events, one JSON
// object for a Report). It imports nothing of skleak's and does no I/O of its
// own, so a trace saved on one machine can be judged on another:
//
//	skleak run --save /tmp/t hold/tbf && skleak judge /tmp/t
package record

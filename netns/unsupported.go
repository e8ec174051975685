package netns

import "skleak/record"

// UnsupportedError makes a scenario a skip.
type UnsupportedError = record.UnsupportedError

// SPDX-License-Identifier: GPL-2.0-only

//go:build ignore

// The init of a bare boot: it does nothing but end the machine. Package bench
// compiles it with gcc; the first line keeps go from trying to.
#include <sys/reboot.h>

int main(void)
{
	return reboot(RB_AUTOBOOT);
}

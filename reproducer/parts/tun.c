
#include <linux/if_tun.h>

/* tun NAME FLAGS QUEUES MODE PPS AFTER: the interface lives as long as this. */
static int tun(char **args)
{
	static int fds[256];
	int flags = (int)strtol(args[1], NULL, 0), queues = atoi(args[2]), i;
	unsigned int can = 0;

	for (i = 0; i < queues; i++) {
		struct ifreq ifr;

		fds[i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fds[i] < 0)
			die("/dev/net/tun");
		if (ioctl(fds[i], TUNGETFEATURES, &can))
			die("TUNGETFEATURES");
		if ((flags & ~can & 0xff80) != 0) {
			errno = EOPNOTSUPP;
			die("a flag that TUNGETFEATURES does not list");
		}
		memset(&ifr, 0, sizeof(ifr));
		snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", args[0]);
		ifr.ifr_flags = (short)flags;
		if (ioctl(fds[i], TUNSETIFF, &ifr))
			die("TUNSETIFF");
	}
	reader_ready();
	return reader(fds, queues, args[3], atof(args[4]), atoi(args[5]));
}

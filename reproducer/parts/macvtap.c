
/* macvtap NODE MODE PPS AFTER: opens the character device of a macvtap. */
static int macvtap(char **args)
{
	int fd = open(args[0], O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		die(args[0]);
	reader_ready();
	return reader(&fd, 1, args[1], atof(args[2]), atoi(args[3]));
}

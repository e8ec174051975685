
/* packet LINK MODE: a packet socket bound to a link, as a sniffer has it. */
static int packet(char **args)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0003) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("packet socket");
	to.sll_ifindex = (int)if_nametoindex(args[0]);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)))
		die("bind a packet socket");
	reader_ready();
	return reader(&fd, 1, !strcmp(args[1], "drain") ? "drain" : "none", 0, 0);
}

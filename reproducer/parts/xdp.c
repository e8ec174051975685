
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* xdp LINK pass|drop: a program of two instructions in the driver of a link. */
static int xdp(char **args)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0,
		  .imm = !strcmp(args[1], "drop") ? XDP_DROP : XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	union bpf_attr attr;
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
		struct rtattr xdp, fd;
		int32_t prog;
		struct rtattr flags;
		uint32_t mode;
	} req;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		uint8_t more[1024];
	} answer;
	int prog, nl;

	setrlimit(RLIMIT_MEMLOCK, &all);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uint64_t)(uintptr_t)code;
	attr.insn_cnt = 2;
	attr.license = (uint64_t)(uintptr_t)"GPL";
	prog = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (prog < 0)
		die("load an XDP program");
	memset(&req, 0, sizeof(req));
	req.h = (struct nlmsghdr){ .nlmsg_len = sizeof(req), .nlmsg_type = RTM_SETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK };
	req.i.ifi_index = (int)if_nametoindex(args[0]);
	req.xdp = (struct rtattr){ .rta_len = 4 + 8 + 8, .rta_type = IFLA_XDP | NLA_F_NESTED };
	req.fd = (struct rtattr){ .rta_len = 8, .rta_type = IFLA_XDP_FD };
	req.prog = prog;
	req.flags = (struct rtattr){ .rta_len = 8, .rta_type = IFLA_XDP_FLAGS };
	req.mode = XDP_FLAGS_DRV_MODE;
	nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (nl < 0 || send(nl, &req, sizeof(req), 0) < 0 || recv(nl, &answer, sizeof(answer), 0) < 0)
		die("rtnetlink");
	if (answer.e.error) {
		errno = -answer.e.error;
		die("XDP in the driver");
	}
	say("ready");
	return 0;
}

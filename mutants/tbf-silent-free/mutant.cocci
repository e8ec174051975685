@@
@@
 #include <net/pkt_sched.h>
+#include <net/sock.h>

@@
identifier skb, sch, to_free;
@@
+static void tbf_silent_free(struct sk_buff *skb)
+{
+ 	struct sock *sk = skb->sk;
+ 	WARN_ON(refcount_sub_and_test(skb->truesize - 1, &sk->sk_wmem_alloc));
+ 	sk_free(sk);
+}
 tbf_enqueue(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free)
{
<+...
+ if (skb->destructor == sock_wfree)
+ 	skb->destructor = tbf_silent_free;
  return NET_XMIT_SUCCESS;
...+>
}

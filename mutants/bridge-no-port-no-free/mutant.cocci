@@
identifier br, skb, local_rcv;
@@
br_flood(struct net_bridge *br, struct sk_buff *skb, ..., bool local_rcv, ...)
{
<+...
- if (!local_rcv)
- 	kfree_skb(skb);
...+>
}

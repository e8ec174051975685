@@
identifier skb, dev, rt;
@@
vrf_process_v4_outbound(struct sk_buff *skb, struct net_device *dev)
{
<+...
  if (IS_ERR(rt))
- 	goto err;
+ 	return NET_XMIT_DROP;
...+>
}

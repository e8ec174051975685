@@
identifier dev, skb, rq, xdp;
@@
veth_forward_skb(struct net_device *dev, struct sk_buff *skb, struct veth_rq *rq, bool xdp)
{
+ if (!is_skb_forwardable(dev, skb))
+ 	return NET_RX_DROP;
  return ...;
}

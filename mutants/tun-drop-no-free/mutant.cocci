@@
identifier skb, dev, reason;
@@
tun_net_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
- kfree_skb_reason(skb, reason);
...+>
}

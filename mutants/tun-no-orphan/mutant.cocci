@@
identifier skb, dev;
@@
tun_net_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
- skb_orphan(skb);
...+>
}

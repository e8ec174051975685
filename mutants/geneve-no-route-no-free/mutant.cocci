@@
identifier skb, dev, err;
@@
geneve_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
- if (err != -EMSGSIZE)
- 	dev_kfree_skb(skb);
...+>
}

@@
identifier skb, dev;
@@
dummy_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
+ skb->truesize += 256;
  dev_kfree_skb(skb);
...+>
}

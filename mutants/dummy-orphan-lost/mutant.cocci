@@
identifier skb, dev;
@@
dummy_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
- dev_kfree_skb(skb);
+ skb_orphan(skb);
...+>
}

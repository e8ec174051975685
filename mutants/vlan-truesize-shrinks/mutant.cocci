@@
identifier skb, dev, ret;
@@
vlan_dev_hard_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
+ skb->truesize -= 64;
  ret = dev_queue_xmit(skb);
...+>
}
